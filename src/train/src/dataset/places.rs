//! Where events of a log happened: each combination of region, device, source, mood and time zone once.

use std::collections::HashMap;

use segue_core::moment::{Field, Moment};

use crate::log::Context;

/// Where events happened, by number; number 0 is where nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Places {
    all: Vec<Place>,
    numbers: HashMap<Place, u16>,
}

/// All that does not depend on the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Place {
    moment: Moment,
    tz_offset_min: Option<i16>,
}

impl Places {
    /// The number of a place. Beyond the first 65,535 combinations nothing is known of an event's.
    pub fn number(&mut self, context: &Context<'_>) -> u16 {
        let Context { region, tz_offset_min, device, source, mood } = context;
        let fields = [
            (Field::Region, region.as_deref()),
            (Field::Device, device.as_deref()),
            (Field::Source, source.as_deref()),
            (Field::Mood, mood.as_deref()),
        ];
        let moment = Moment::in_these(fields);
        let place = Place { moment, tz_offset_min: *tz_offset_min };
        if place == Place::default() {
            return 0;
        }
        if let Some(&number) = self.numbers.get(&place) {
            return number;
        }
        let Ok(number) = u16::try_from(self.all.len() + 1) else { return 0 };
        self.all.push(place);
        self.numbers.insert(place, number);
        number
    }

    /// The moment of an event at a place, `at` so many milliseconds since 1970.
    pub fn moment(&self, number: u16, at: i64) -> Moment {
        let place = usize::from(number).checked_sub(1).and_then(|at| self.all.get(at));
        let Some(Place { moment, tz_offset_min }) = place else { return Moment::default() };
        tz_offset_min.map_or(*moment, |minutes| moment.on(at, minutes))
    }

    /// Whether nothing is known of any event.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

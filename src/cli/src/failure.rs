//! What went wrong, for a person.

use std::{error::Error, fmt};

/// Any error of any room; the command line only prints it.
#[derive(Debug)]
pub struct Failure {
    context: Option<String>,
    source: Box<dyn Error + Send + Sync>,
}

/// What every verb gives.
pub type Done = Result<(), Failure>;

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(source: E) -> Self {
        Self { context: None, source: source.into() }
    }
}

impl Failure {
    /// An error with what was being done, such as "cannot write model.segue".
    pub fn during(
        context: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { context: Some(context.into()), source: source.into() }
    }
}

impl fmt::Display for Failure {
    /// The error and its causes, outermost first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        if let Some(context) = &self.context {
            said.clone_from(context);
            write!(f, "{context}")?;
        }
        let mut next: Option<&dyn Error> = Some(&*self.source);
        while let Some(error) = next {
            let text = error.to_string();
            // A transparent error repeats its source.
            if text != said {
                let separator = if said.is_empty() { "" } else { ": " };
                write!(f, "{separator}{text}")?;
            }
            said = text;
            next = error.source();
        }
        Ok(())
    }
}

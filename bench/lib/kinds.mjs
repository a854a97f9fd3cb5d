/** The kinds of events, by the number that each crosses to the module as. */
export const KINDS = ["play", "skip", "like", "dislike", "replay", "save", "search", "impression", "click"];

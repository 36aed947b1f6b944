// When something happens, told to the core by who has a clock: `wall` in milliseconds since 1970, which may jump, and `mono`, by which delays are
// reckoned.

/** @typedef {{wall: number, mono: number}} Moment */

/** The first of these moments, in `mono`; null where there is none. @param {number[]} dues */
export const first = (dues) => (dues.length ? Math.min(...dues) : null);

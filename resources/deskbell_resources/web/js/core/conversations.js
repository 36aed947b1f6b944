// Whose conversation a message belongs to: the rule of the protocol, the same in every client.
/** @import { Party } from "../protocol.js" */

/** The group that these parties are; null where they are anything else. @param {Party[]} parties */
export const groupOf = (parties) => (parties.length === 1 && parties[0].kind === "group" ? parties[0] : null);

/** With whom a message is exchanged: its group, the one I wrote it to, or its sender. @param {{to: Party[], from: Party}} message @param {string} me */
export const partyOf = ({ to, from }, me) => (groupOf(to) || from.id === me ? (to[0] ?? from) : from);

// Made by protocol_js.py: change it there.
export const VERSION: number;
export const LIMITS: { BODY_BYTES: number; TITLE_CHARS: number; URL_CHARS: number; RECIPIENTS: number; NAME_CHARS: number; DISPLAY_CHARS: number; KEY_CHARS: number; ID_CHARS: number; PASSWORD_CHARS_MIN: number; PASSWORD_CHARS_MAX: number; REQUEST_BYTES: number; SYNC_EVENTS: number; SYNC_BYTES: number; READ_IDS: number; PAGE: number; SOCKETS_PER_DEVICE: number; DEVICES_PER_USER: number; ANSWER_S: number; HEAD_INTERVAL_S: number; HEAD_JITTER: number; ACK_INTERVAL_S: number; LOGIN_S: number; OUTBOX_LIFE_S: number; IDEMPOTENCY_LIFE_S: number; RECONNECT_FIRST_S: number; RECONNECT_MAX_S: number; RECONNECT_BUSY_S: number; PING_INTERVAL_S: number; PING_TIMEOUT_S: number; };
export const FATAL: Set<string>;
export const FINAL: Set<string>;
export interface Party { id: string; name: string; display?: string; kind?: "person" | "app" | "group"; }
export interface Message { body: string; title?: string; priority?: "low" | "normal" | "high" | "urgent"; url?: string; from: Party; to: Party[]; reply_to?: string | null; cid?: string | null; publish?: string | null; }
export interface ReadMark { up_to?: number | null; ids?: string[] | null; }
export interface Membership { group: Party; joined?: boolean; }
export interface LogEvent { epoch: string; prev: number; seq: number; kind: string; id: string; at: number; data: any; }
export interface Head { epoch: string; prev: number; seq: number; }
export interface SyncAnswer { ok?: boolean; epoch: string; after: number; upto: number; head: number; events: LogEvent[]; reset?: boolean; groups?: string[] | null; }

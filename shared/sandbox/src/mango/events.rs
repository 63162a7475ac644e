//! The shapes of webhooks: key order as on the wire, absent keys left out.

use serde::{Deserialize, Serialize};

/// Either side of a leg or of a whole call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Party {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taken_from_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acd_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) was_transferred: Option<bool>,
}

/// Call tracking; type 0: none.
#[derive(Serialize)]
pub(super) struct Dct {
    #[serde(rename = "type")]
    pub(super) kind: u8,
}

/// `events/call`.
#[derive(Serialize)]
pub(super) struct CallEvent<'a> {
    pub(super) entry_id: &'a str,
    pub(super) call_id: &'a str,
    pub(super) timestamp: i64,
    pub(super) seq: u32,
    pub(super) call_state: &'a str,
    pub(super) location: &'a str,
    pub(super) from: &'a Party,
    pub(super) to: &'a Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disconnect_reason: Option<u16>,
    pub(super) dct: Dct,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transfer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) callback_initiator: Option<&'a str>,
}

/// `events/call`, read back: how a leg stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Seen {
    pub(super) call_id: String,
    pub(super) seq: u32,
    pub(super) call_state: String,
    pub(super) location: String,
    pub(super) from: Party,
    pub(super) to: Party,
}

/// `events/summary`.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    pub(super) entry_id: &'a str,
    /// 0 internal, 1 inbound, 2 outgoing.
    pub(super) call_direction: u8,
    pub(super) from: Party,
    pub(super) to: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line_number: Option<&'a str>,
    pub(super) create_time: i64,
    pub(super) forward_time: i64,
    /// 0: nobody talked.
    pub(super) talk_time: i64,
    pub(super) end_time: i64,
    pub(super) entry_result: u8,
    pub(super) disconnect_reason: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_call_id: Option<&'a str>,
}

/// `events/recording`.
#[derive(Serialize)]
pub(super) struct RecordingEvent<'a> {
    pub(super) recording_id: &'a str,
    pub(super) recording_state: &'a str,
    pub(super) seq: u32,
    pub(super) entry_id: &'a str,
    pub(super) call_id: &'a str,
    pub(super) extension: &'a str,
    pub(super) timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient: Option<&'a str>,
}

/// `events/record/added`.
#[derive(Serialize)]
pub(super) struct RecordAdded<'a> {
    pub(super) entry_id: &'a str,
    pub(super) product_id: u64,
    pub(super) user_id: i64,
    pub(super) timestamp: i64,
    pub(super) recording_id: &'a str,
}

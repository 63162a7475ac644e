//! The inbox: what a channel of chats feeds (настройки канала). Who receives, what is answered by itself, when a
//! conversation is closed and with which words.
//!
//! The bounds of the settings stand here as functions, so that whoever reads settings and whoever writes them
//! count alike.

use serde::{Deserialize, Serialize};

use crate::ids::EmployeeId;
use crate::policy::Rules;
use crate::time::Millis;

/// Longest closing text, in Unicode scalar values after trimming (AVT-11, Q-13).
pub const CLOSING_TEXT_LIMIT: usize = 250;
/// Longest delay of an autoreply, in seconds.
pub const DELAY_LIMIT: i64 = 86_400;

/// The rules of one channel of chats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    pub receiver: Receiver,
    /// Autoreplies to a request that arrives in working time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub working: Vec<AutoReply>,
    #[serde(default)]
    pub off_hours: OffHours,
    /// Closed when nobody wrote for so long; `None`: never by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_after: Option<Millis>,
    /// Sent when a conversation is closed; `None`: switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_text: Option<String>,
    /// The longest text the provider takes, in characters.
    pub max_text: usize,
    /// The provider lets us write first; otherwise we only reply.
    #[serde(default)]
    pub can_initiate: bool,
    /// Messages do not say who the client is: the chat is read once for it.
    #[serde(default)]
    pub read_chat: bool,
    /// The provider takes pictures.
    #[serde(default)]
    pub takes_images: bool,
    /// For how long after it was sent the provider takes a message back; `None`: it tells by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_within: Option<Millis>,
    /// What a client's first message makes in the CRM; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<FirstRecords>,
}

/// What the first message of a conversation makes in the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstRecords {
    /// Whose ids of clients these are: the provider of the channel.
    pub source: String,
    /// Nobody in the CRM is known by the client's id.
    #[serde(default)]
    pub new: Rules,
    /// Never a contact.
    #[serde(default)]
    pub known: Rules,
}

/// Who receives a request (CH-03): exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receiver {
    Staff(Staff),
    /// A bot, and who has the request while the bot is not available (AVT-08).
    Bot {
        bot: String,
        backup: Staff,
    },
}

/// People who receive requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Staff {
    Employee(EmployeeId),
    /// Any member may take it.
    Group(String),
}

/// What happens by itself off hours: autoreplies or a bot, never both (AVT-16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OffHours {
    AutoReplies(Vec<AutoReply>),
    Bot { bot: String, backup: Staff },
}

impl Default for OffHours {
    fn default() -> Self {
        Self::AutoReplies(Vec::new())
    }
}

/// One automatic reply, sent once if nobody answered for so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoReply {
    pub text: String,
    /// Counted from the first client message that waits for an answer.
    pub delay: Millis,
}

/// Which set of rules holds for a request: settled when it arrives (SCH-03).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoursClass {
    #[default]
    Working,
    OffHours,
}

/// Unit of the time without messages after which a conversation is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CloseUnit {
    Hours,
    Days,
}

impl Inbox {
    /// The autoreplies of a class of hours. A bot stands alone (AVT-16, Q-05).
    pub fn steps(&self, class: HoursClass) -> &[AutoReply] {
        match (class, &self.receiver, &self.off_hours) {
            (HoursClass::Working, Receiver::Staff(_), _) => &self.working,
            (HoursClass::OffHours, _, OffHours::AutoReplies(steps)) => steps,
            (HoursClass::Working, Receiver::Bot { .. }, _) | (HoursClass::OffHours, _, OffHours::Bot { .. }) => &[],
        }
    }

    /// The people who have a request of this class; there are no bots yet, so a bot's back-up has it.
    pub fn staff(&self, class: HoursClass) -> &Staff {
        match (class, &self.receiver, &self.off_hours) {
            (HoursClass::OffHours, _, OffHours::Bot { backup, .. }) | (_, Receiver::Bot { backup, .. }, _) => backup,
            (_, Receiver::Staff(staff), _) => staff,
        }
    }

    /// Whether a bot is named anywhere: settings refuse it until there are bots.
    pub fn names_a_bot(&self) -> bool {
        matches!(self.receiver, Receiver::Bot { .. }) || matches!(self.off_hours, OffHours::Bot { .. })
    }
}

/// A text as it is sent and counted: trimmed, in Unicode scalar values.
pub fn length(text: &str) -> usize {
    text.trim().chars().count()
}

/// A closing text as it is kept, or what is wrong with it.
pub fn closing_text(text: &str, max_text: usize) -> Result<String, String> {
    bounded(text, CLOSING_TEXT_LIMIT.min(max_text))
}

/// An autoreply as it is kept, or what is wrong with it.
pub fn auto_reply(text: &str, delay_seconds: i64, max_text: usize) -> Result<AutoReply, String> {
    if !(0..=DELAY_LIMIT).contains(&delay_seconds) {
        return Err(format!("a delay of {delay_seconds} s; write 0 to {DELAY_LIMIT}"));
    }
    Ok(AutoReply { text: bounded(text, max_text)?, delay: Millis::seconds(delay_seconds) })
}

/// How long nobody may write before a conversation is closed (CH-06). A day is 24 hours.
pub fn close_after(count: i64, unit: CloseUnit) -> Result<Millis, String> {
    let (most, minutes, word) = match unit {
        CloseUnit::Hours => (8760, 60, "hours"),
        CloseUnit::Days => (365, 24 * 60, "days"),
    };
    if !(1..=most).contains(&count) {
        return Err(format!("{count} {word}; write 1 to {most}"));
    }
    Ok(Millis::minutes(count * minutes))
}

fn bounded(text: &str, limit: usize) -> Result<String, String> {
    match length(text) {
        0 => Err("an empty text; write one or leave it out".to_owned()),
        count if count > limit => Err(format!("{count} characters; at most {limit} can be sent")),
        _ => Ok(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_text_has_at_most_250_scalar_values_after_trimming() {
        let most = format!("  {} \n", "🙂".repeat(250));
        assert_eq!(closing_text(&most, 1000).map(|text| text.chars().count()), Ok(250));
        let error = closing_text(&"ж".repeat(251), 1000).expect_err("too long");
        assert_eq!(error, "251 characters; at most 250 can be sent");
        assert!(closing_text(" \n ", 1000).is_err());
        assert!(closing_text("до свидания", 5).is_err(), "the provider takes less");
    }

    #[test]
    fn closing_takes_1_to_8760_hours_or_1_to_365_days_of_24_hours() {
        assert_eq!(close_after(1, CloseUnit::Hours), Ok(Millis(3_600_000)));
        assert_eq!(close_after(24, CloseUnit::Hours), close_after(1, CloseUnit::Days));
        assert_eq!(close_after(8760, CloseUnit::Hours), close_after(365, CloseUnit::Days));
        for (count, unit) in [(0, CloseUnit::Hours), (-1, CloseUnit::Days), (8761, CloseUnit::Hours)] {
            assert!(close_after(count, unit).is_err(), "{count}");
        }
        assert_eq!(close_after(366, CloseUnit::Days), Err("366 days; write 1 to 365".to_owned()));
    }

    #[test]
    fn a_delay_is_0_to_86400_seconds() {
        assert_eq!(auto_reply(" Скоро ответим ", 0, 1000).map(|step| step.text), Ok("Скоро ответим".to_owned()));
        assert!(auto_reply("Скоро", 86_400, 1000).is_ok());
        assert!(auto_reply("Скоро", 86_401, 1000).is_err() && auto_reply("Скоро", -1, 1000).is_err());
        assert!(auto_reply(&"ж".repeat(11), 0, 10).is_err());
    }

    #[test]
    fn a_bot_has_no_autoreplies_beside_it_and_its_backup_has_the_request() {
        let step = AutoReply { text: "Скоро".into(), delay: Millis(0) };
        let backup = Staff::Group("sales".into());
        let mut inbox = Inbox {
            receiver: Receiver::Staff(Staff::Employee("anna".into())),
            working: vec![step.clone()],
            off_hours: OffHours::Bot { bot: "night".into(), backup: backup.clone() },
            close_after: None,
            closing_text: None,
            max_text: 1000,
            can_initiate: false,
            read_chat: false,
            takes_images: false,
            delete_within: None,
            records: None,
        };
        assert!(inbox.names_a_bot());
        assert_eq!(inbox.steps(HoursClass::Working).len(), 1);
        assert_eq!((inbox.steps(HoursClass::OffHours).len(), inbox.staff(HoursClass::OffHours)), (0, &backup));
        inbox.receiver = Receiver::Bot { bot: "day".into(), backup: backup.clone() };
        inbox.off_hours = OffHours::AutoReplies(vec![step]);
        assert_eq!((inbox.steps(HoursClass::Working).len(), inbox.staff(HoursClass::Working)), (0, &backup));
        assert_eq!(inbox.steps(HoursClass::OffHours).len(), 1);
    }
}

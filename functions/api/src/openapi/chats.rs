//! Conversations and employees.

use serde_json::json;

use super::answers::{Acted, ConversationStory, Conversations, EmployeeStatus, Employees, MessageText, VoiceOf};
use super::operation::{Operation, Schemas};
use crate::route::Act;
use crate::{acts, media, status};

const TAG: &str = "Conversations";

pub fn list(schemas: &mut Schemas) -> Operation {
    let states = json!({ "type": "string", "enum": ["new", "open", "closed"] });
    Operation::new(
        "listConversations",
        TAG,
        "Who waits for somebody, the longest first; or all of a month, the newest first",
    )
    .text("of", "`employee:ID` or `group:NAME`: who waits for them.")
    .text("month", "`2026-11` (UTC); this one if neither is said.")
    .query("state", states, "Leaves out the others of a page.")
    .pages()
    .answers(200, "A page.", schemas.answer::<Conversations>())
}

pub fn one(schemas: &mut Schemas) -> Operation {
    Operation::new("getConversation", TAG, "One conversation, explained, with a page of its messages, the newest last")
        .pages()
        .answers(200, "The conversation.", schemas.answer::<ConversationStory>())
}

pub fn message(schemas: &mut Schemas) -> Operation {
    Operation::new("getMessage", TAG, "The whole text of a message, however long")
        .answers(200, "The text.", schemas.answer::<MessageText>())
        .refuses(410, "Only its beginning is kept by now.")
}

pub fn delete_message(schemas: &mut Schemas) -> Operation {
    Operation::new("deleteMessage", TAG, "Asks the provider to take back a message of ours")
        .once()
        .answers(200, "It is asked.", schemas.answer::<Acted>())
        .refuses(400, "A key over 100 bytes.")
        .refuses(409, "Not ours, deleted already, too old, or the channel is off.")
}

pub fn act(act: Act, schemas: &mut Schemas) -> Operation {
    let done = schemas.answer::<Acted>();
    let new =
        |id, summary| Operation::new(id, TAG, summary).answers(200, "Committed: the conversation now.", done.clone());
    let channel = "The channel is off or superseded, or the client never wrote and we may not write first.";
    match act {
        Act::Reply => {
            new("reply", "Replies to the client").once().takes(schemas.body::<acts::Written>()).refuses(409, channel)
        }
        Act::Note => {
            new("note", "Writes a note that the client does not see").once().takes(schemas.body::<acts::Written>())
        }
        Act::Assign => new("assign", "Gives it to an employee, or back to its group")
            .once()
            .takes(schemas.body::<acts::Assigned>())
            .refuses(409, "It is not open, or there is no group to give it back to."),
        Act::Close => new("closeConversation", "Closes it, with the closing text if there is one")
            .once()
            .refuses(400, "A key over 100 bytes.")
            .refuses(409, "The client never wrote."),
        Act::Open => {
            new("markSeen", "It was seen: the provider is told once").once().refuses(400, "A key over 100 bytes.")
        }
        Act::Image => new("replyWithImage", "Replies with a picture: JPEG, PNG, GIF, BMP or HEIC, told by its bytes")
            .once()
            .takes_media("image/*", json!({}))
            .refuses(409, "As for a reply; or this channel sends no pictures.")
            .refuses(415, "None of these pictures."),
        Act::Voice => Operation::new("askForVoice", TAG, "Where a voice message can be heard")
            .takes(schemas.body::<media::Asked>())
            .answers(200, "The link, while it is good.", schemas.answer::<VoiceOf>())
            .answers(202, "The provider is asked: look at the conversation in a moment.", schemas.answer::<VoiceOf>())
            .refuses(409, "The channel is off."),
    }
}

pub fn employees(schemas: &mut Schemas) -> Operation {
    Operation::new("listEmployees", "Employees", "Those who work here, in the order of the settings").answers(
        200,
        "All of them.",
        schemas.answer::<Employees>(),
    )
}

pub fn status(schemas: &mut Schemas) -> Operation {
    Operation::new("getStatus", "Employees", "Whether an employee is there: away until somebody says so").answers(
        200,
        "The status.",
        schemas.answer::<EmployeeStatus>(),
    )
}

pub fn put_status(schemas: &mut Schemas) -> Operation {
    Operation::new("putStatus", "Employees", "Sets it: the employee, an administrator or an owner")
        .takes(schemas.body::<status::Given>())
        .answers(200, "The status now.", schemas.answer::<EmployeeStatus>())
}

//! By what a client is known: a telephone number, or the id that a provider of chats gave them.

use serde::{Deserialize, Serialize};

use crate::ids::OutsideId;
use crate::job::Point;
use crate::number::Number;

/// What leads to one contact of the CRM, and to one contact point of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClientId {
    Phone(Number),
    Outside { outside: OutsideId },
}

impl ClientId {
    /// What a job about this client touches.
    pub fn point(&self) -> Point {
        match self {
            Self::Phone(number) => Point::Phone(number.clone()),
            Self::Outside { outside } => Point::Client(outside.clone()),
        }
    }

    /// The client that a job touches there, if it touches one.
    pub fn of(point: &Point) -> Option<Self> {
        match point {
            Point::Phone(number) => Some(number.clone().into()),
            Point::Client(outside) => Some(outside.clone().into()),
            Point::Recording(_) | Point::Conversation(_) | Point::Address => None,
        }
    }

    /// As people read it: `+79990001122`, `chats:94235311`.
    pub fn words(&self) -> String {
        match self {
            Self::Phone(number) => number.plus(),
            Self::Outside { outside } => outside.0.clone(),
        }
    }
}

impl From<Number> for ClientId {
    fn from(number: Number) -> Self {
        Self::Phone(number)
    }
}

impl From<OutsideId> for ClientId {
    fn from(outside: OutsideId) -> Self {
        Self::Outside { outside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_before_and_an_outside_id_cannot_be_taken_for_one() {
        let number = ClientId::Phone(Number::parse("+79990001122").expect("a number"));
        let outside = ClientId::from(OutsideId::from("79990001122"));
        for (client, json) in [(&number, r#""79990001122""#), (&outside, r#"{"outside":"79990001122"}"#)] {
            assert_eq!(serde_json::to_string(client).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<ClientId>(json).expect("a client"), *client);
            assert_eq!(ClientId::of(&client.point()).as_ref(), Some(client));
        }
        assert_eq!((number.words().as_str(), outside.words().as_str()), ("+79990001122", "79990001122"));
    }
}

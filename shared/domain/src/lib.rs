//! The pure core: words, states, policies, decisions.
//!
//! Nothing here knows a clock, an environment, a network or a provider. Time comes in as
//! an argument, effects go out as values, and every decision carries its reason.

pub mod answer;
pub mod call;
pub mod chat;
pub mod client;
pub mod conversation;
pub mod directory;
pub mod effect;
pub mod event;
pub mod hours;
pub mod ids;
pub mod inbox;
pub mod job;
pub mod number;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod responsible;
pub mod template;
pub mod time;

pub use chat::{ChatCommand, ChatResult, Image, Origin};
pub use client::ClientId;
pub use conversation::event::{ConversationEvent, ConversationEventKind};
pub use directory::{Directory, Listed};
pub use effect::{Command, Effect, Fact, Lane};
pub use event::{CallEvent, CallEventKind, Envelope, Event};
pub use hours::Hours;
pub use ids::{AccountId, ChannelId, ConnectionId, CrmId, EffectId, EmployeeId, Extension, OutsideId};
pub use job::{JobResult, Point};
pub use number::Number;
pub use policy::Policy;
pub use reason::Reason;
pub use time::Timestamp;

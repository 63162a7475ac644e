//! A model of a queue: at least once, in any order, visibility, receive counts, dead letters.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use perezvon_platform::{Clock, Message, PortError, Queue};

use crate::faults::Faults;
use crate::world::cloud::send_requests;

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: u64,
    pub body: String,
    pub visible_at: i64,
    pub receives: u32,
}

#[derive(Default)]
struct State {
    next_id: u64,
    waiting: Vec<Waiting>,
    dead: Vec<Waiting>,
    sent: u64,
    send_requests: u64,
}

/// The model.
pub struct ModelQueue {
    pub name: &'static str,
    clock: Arc<dyn Clock>,
    faults: Arc<Faults>,
    state: Mutex<State>,
    /// Receives before a message is a dead letter.
    pub max_receives: u32,
    pub visibility_ms: i64,
}

impl ModelQueue {
    /// An empty queue.
    pub fn new(
        name: &'static str,
        clock: Arc<dyn Clock>,
        faults: Arc<Faults>,
        max_receives: u32,
        visibility_ms: i64,
    ) -> Arc<Self> {
        Arc::new(Self { name, clock, faults, state: Mutex::default(), max_receives, visibility_ms })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that can be received now.
    pub fn visible(&self) -> Vec<u64> {
        let now = self.clock.now_ms();
        self.lock().waiting.iter().filter(|message| message.visible_at <= now).map(|message| message.id).collect()
    }

    /// When the next message can be received; `None`: the queue is empty.
    pub fn next_visible(&self) -> Option<i64> {
        self.lock().waiting.iter().map(|message| message.visible_at).min()
    }

    /// Receives these: they are invisible for the visibility time-out. A message received too often is dead.
    pub fn receive(&self, ids: &[u64]) -> Vec<Waiting> {
        let now = self.clock.now_ms();
        let mut state = self.lock();
        let mut received = Vec::new();
        let mut dead = Vec::new();
        for message in state.waiting.iter_mut().filter(|message| ids.contains(&message.id)) {
            message.receives += 1;
            message.visible_at = now + self.visibility_ms;
            if message.receives > self.max_receives {
                dead.push(message.clone());
            } else {
                received.push(message.clone());
            }
        }
        state.waiting.retain(|message| dead.iter().all(|gone| gone.id != message.id));
        state.dead.extend(dead);
        received
    }

    /// Removes a message for good.
    pub fn acknowledge(&self, id: u64) {
        self.lock().waiting.retain(|message| message.id != id);
    }

    /// Gives a failed message back.
    pub fn give_back(&self, id: u64, after_ms: i64) {
        let at = self.clock.now_ms() + after_ms;
        for message in self.lock().waiting.iter_mut().filter(|message| message.id == id) {
            message.visible_at = at;
        }
    }

    /// Puts a copy of a message beside it: the queue delivers at least once.
    pub fn duplicate(&self, id: u64) {
        let mut state = self.lock();
        state.next_id += 1;
        let copy_id = state.next_id;
        if let Some(message) = state.waiting.iter().find(|message| message.id == id).cloned() {
            state.waiting.push(Waiting { id: copy_id, receives: 0, ..message });
        }
    }

    /// Loses a message: what no queue may do, but a wake-up must survive.
    pub fn lose_all(&self) -> usize {
        std::mem::take(&mut self.lock().waiting).len()
    }

    /// The dead letters' bodies.
    pub fn dead(&self) -> Vec<String> {
        self.lock().dead.iter().map(|message| message.body.clone()).collect()
    }

    /// The bodies of what is there, visible or not.
    pub fn bodies(&self) -> Vec<String> {
        self.lock().waiting.iter().map(|message| message.body.clone()).collect()
    }

    /// How many messages are there, visible or not.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Nothing is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Requests that sending them took, by the bill.
    pub fn send_requests(&self) -> u64 {
        self.lock().send_requests
    }

    /// How many were ever sent.
    pub fn sent(&self) -> u64 {
        self.lock().sent
    }
}

#[async_trait]
impl Queue for ModelQueue {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        let call = self.faults.before(&format!("queue.{}", self.name)).await?;
        let now = self.clock.now_ms();
        {
            let mut state = self.lock();
            let sizes: Vec<usize> = messages.iter().map(|message| message.body.len() + message.group.len()).collect();
            state.send_requests += send_requests(&sizes);
            for message in messages {
                assert!((0..=900_000).contains(&message.delay_ms), "delay {} of {}", message.delay_ms, self.name);
                state.next_id += 1;
                state.sent += 1;
                let id = state.next_id;
                state.waiting.push(Waiting { id, body: message.body, visible_at: now + message.delay_ms, receives: 0 });
            }
        }
        self.faults.after(call).await;
        Ok(())
    }
}

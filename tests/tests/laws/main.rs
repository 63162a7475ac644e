//! The laws of the house, read off the tree and off cargo's own view of it.
//!
//! A law names every place that breaks it. Where a law looks for words, a second test beside it
//! shows that it finds what it looks for.

mod cargo;
mod cloud;
mod events;
mod house;
mod licences;
mod papers;
mod policies;
mod pure;
mod rules;
mod secrets;
mod shape;
mod table;
mod template;
mod tree;
mod weight;

/// Fails with all offences at once.
fn obeyed(law: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{law}:\n  {}", offences.join("\n  "));
}

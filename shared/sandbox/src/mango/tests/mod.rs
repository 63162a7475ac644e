//! Specs of the PBX.

mod api;
mod calls;

const RECORDING: &str = "MToxMDAwMDAwMToxMDAwMDAwMDAwMTow";

//! A short sound that every browser plays, in place of a recorded conversation.

const RATE: u32 = 8_000;
const MILLISECONDS: u32 = 1_500;
const HERTZ: f64 = 440.0;

/// A beep as a WAV file: one channel, 8 bits, 8 kHz.
pub(crate) fn beep() -> Vec<u8> {
    let samples = RATE * MILLISECONDS / 1000;
    let mut file = Vec::with_capacity(44 + samples as usize);
    file.extend(b"RIFF");
    file.extend((36 + samples).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    // Linear PCM, one channel.
    file.extend(1u16.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    // Bytes a second, bytes a sample, bits a sample.
    file.extend(RATE.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(8u16.to_le_bytes());
    file.extend(b"data");
    file.extend(samples.to_le_bytes());
    let turn = std::f64::consts::TAU * HERTZ / f64::from(RATE);
    // The cast keeps the value: 128 +- 60 fits a byte.
    file.extend((0..samples).map(|n| (128.0 + 60.0 * (turn * f64::from(n)).sin()) as u8));
    file
}

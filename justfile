# What is done often. Each line can be typed by hand as well.

# All tests: units, stories, conformance, laws.
test:
    cargo test --workspace

# Format and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The laws of the house alone.
laws:
    cargo test --workspace --test laws

# Start with the demo account.
demo:
    cargo run --release

# The page in headless Chromium: a client writes, is answered, and the conversation is closed.
page:
    cargo build --release
    infra/page/run

# The process is killed in the middle, again and again: nothing is lost, nothing is made twice.
kill:
    cargo test --release -p perezvon --test kill -- --include-ignored --nocapture

# From the webhook to the record, printed beside the goals.
latency:
    cargo test --release -p perezvon --test latency --test answering -- --include-ignored --nocapture --test-threads=1

# The stack on an emulator of AWS: the very template and binaries, end to end.
cloud:
    infra/cloud/run

# What each function weighs: binary, zip, memory, the glibc it needs; after `just cloud`.
sizes:
    infra/cloud/run sizes

# The functions for arm64, the usual processor on AWS; nothing runs them here.
arm64 *packages:
    infra/cloud/run arm64 {{packages}}

# Write what samples are expected to mean anew; read the difference before you keep it.
expected:
    UPDATE_EXPECTED=1 cargo test -p perezvon-adapters

# Everything that must hold before a change lands.
ci:
    .ci/run

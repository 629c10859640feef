//! One test binary whose modules are sentences about the whole library.

mod decoders_paint_what_the_bytes_say;
mod every_cut;
mod hostile_servers_get_one_line;
mod memory;
mod naive;
mod oracles;
mod oracles_hold_for_the_fuzzers_seeds;
mod recordings_decode_to_their_hashes;
mod rooms_know_only_their_neighbours;
mod server;
mod transport_ssh;

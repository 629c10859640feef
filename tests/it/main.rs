//! One test binary whose modules are sentences about the whole library.

mod rooms_know_only_their_neighbours;
mod transport_ssh;

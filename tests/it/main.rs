//! One test binary whose modules are sentences about the whole library.

mod rooms_know_only_their_neighbours;
mod the_demo_server_speaks_rfb;
mod transport_ssh;

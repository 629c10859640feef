//! One test binary whose modules are sentences about the whole library.

mod real;
mod real_desktops_are_seen_over_a_real_sshd;
mod rooms_know_only_their_neighbours;
mod the_demo_server_speaks_rfb;
mod transport_ssh;
mod windows_show_desktops_and_pass_on_what_is_done;

//! One test binary whose modules are sentences about the whole library.

mod check_names_the_layer_that_fails;
mod decoders_paint_what_the_bytes_say;
mod every_cut;
mod hostile_servers_get_one_line;
mod hostile_tight_and_jpeg_get_one_line;
mod jpeg_by_hand;
mod memory;
mod naive;
mod oracles;
mod oracles_hold_for_the_fuzzers_seeds;
mod real;
mod real_desktops_are_seen_over_a_real_sshd;
mod recordings_decode_to_their_hashes;
mod rooms_know_only_their_neighbours;
mod server;
mod ssh_config_cases;
mod ssh_config_equals_ssh;
mod ssh_config_is_obeyed;
mod ssh_logs_in_as_ssh_does;
mod ssh_routes_lead_there;
mod the_demo_server_speaks_rfb;
mod the_program_survives_hostile_servers;
mod tight_and_jpeg_paint_what_the_bytes_say;
mod transport_ssh;
mod windows_show_desktops_and_pass_on_what_is_done;

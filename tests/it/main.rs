//! One test binary whose modules are sentences about the whole library.

mod a_full_screen_asks_and_obeys;
mod a_refresh_brings_every_pixel;
mod a_session_ends_in_a_desktop_here_or_there;
mod bench_says_where_the_time_goes;
mod check_names_the_layer_that_fails;
mod decoders_paint_what_the_bytes_say;
mod decoding_asks_for_no_memory_in_the_long_run;
mod desktops_are_found_started_or_come_by_themselves;
mod desktops_get_the_size_of_their_windows;
mod desktops_of_4k_fit_into_memory;
mod encodings_follow_the_link;
mod every_cut;
mod every_encoding_of_every_server_gives_its_screen;
#[cfg(feature = "h264")]
mod h264_by_hand;
#[cfg(feature = "h264")]
mod h264_pictures_change_at_their_places;
#[cfg(feature = "h264")]
mod hostile_h264_gets_one_line;
mod hostile_servers_get_one_line;
mod hostile_tight_and_jpeg_get_one_line;
mod jpeg_by_hand;
mod jpeg_pictures_are_those_of_libjpeg;
mod lanes_change_nothing;
mod login_screens_offer_desktops;
mod memory;
mod naive;
mod oracles;
mod oracles_hold_for_the_fuzzers_seeds;
mod panels_lie_over_the_desktop;
mod people_log_in_step_by_step;
mod real;
mod real_desktops_are_seen_over_a_real_sshd;
mod real_servers_share_keys_and_clipboard;
mod recordings_are_shared_with_other_tools;
mod recordings_decode_to_their_hashes;
mod rooms_know_only_their_neighbours;
mod server;
mod servers_tell_more_than_pixels;
mod ssh_config_cases;
mod ssh_config_equals_ssh;
mod ssh_config_is_obeyed;
mod ssh_logs_in_as_ssh_does;
mod ssh_routes_lead_there;
mod the_demo_server_speaks_rfb;
mod the_program_survives_hostile_servers;
mod tight_and_jpeg_paint_what_the_bytes_say;
mod tiles_of_runs_and_palettes_paint_what_the_bytes_say;
mod transport_ssh;
mod what_is_copied_here_is_pasted_there;
mod what_was_lost_is_taken_up_again_within_limits;
mod windows_cover_the_screens_that_are_meant;
mod windows_fit_desktops_in;
mod windows_on_x11_know_every_key_and_sleep;
mod windows_on_x11_take_what_is_wanted_and_let_it_go;
mod windows_show_desktops_and_pass_on_what_is_done;

//! One test binary whose modules are sentences about the whole library.

mod transport_ssh;

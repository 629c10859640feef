//! BYTES TO AND FROM: TCP, local sockets and SSH channels; it does not know what RFB is.

//! VNC authentication (RFC 6143 §7.2.2), and the password file that hides a password with the same cipher.

use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, Zeroizing};

/// The server's random challenge, and the answer to it.
pub type Challenge = [u8; 16];

/// Passwords end here: a DES key has eight bytes.
pub const PASSWORD_LENGTH: usize = 8;

// The fixed key of password files: they are hidden from a glance, not encrypted.
const FILE_KEY: [u8; 8] = [23, 82, 107, 6, 35, 78, 88, 7];

/// Encrypts the challenge with the password: its first eight bytes, the bits of each byte reversed.
pub fn respond(password: &[u8], challenge: &Challenge) -> Challenge {
    let mut key = Zeroizing::new([0; 8]);
    key.iter_mut().zip(password).for_each(|(key, byte)| *key = *byte);
    let cipher = cipher_of(&key);
    let mut response = *challenge;
    for block in response.as_chunks_mut::<8>().0 {
        let mut encrypted = Array::from(*block);
        cipher.encrypt_block(&mut encrypted);
        *block = encrypted.into();
    }
    response
}

/// The eight bytes of a password file. Only the first eight bytes of the password count.
pub fn obfuscate(password: &[u8]) -> [u8; 8] {
    let mut block = Array::from([0; 8]);
    block.iter_mut().zip(password).for_each(|(to, from)| *to = *from);
    cipher_of(&FILE_KEY).encrypt_block(&mut block);
    block.into()
}

/// The password in a password file's first eight bytes.
pub fn reveal(file: &[u8; 8]) -> Zeroizing<Vec<u8>> {
    let mut block = Array::from(*file);
    cipher_of(&FILE_KEY).decrypt_block(&mut block);
    let password = block.iter().copied().take_while(|&byte| byte != 0).collect();
    block.zeroize();
    Zeroizing::new(password)
}

fn cipher_of(key: &[u8; 8]) -> des::Des {
    // The original implementation took the bits of each key byte from the wrong end; everyone follows it.
    let mut reversed = Array::from(key.map(u8::reverse_bits));
    let cipher = des::Des::new(&reversed);
    reversed.zeroize();
    cipher
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_equal_those_of_other_programs() {
        // As vncpasswd writes them.
        assert_eq!(obfuscate(b"secret12"), [0x24, 0xb5, 0xae, 0x4c, 0xe1, 0x55, 0x03, 0xc6]);
        assert_eq!(obfuscate(b"short"), [0x34, 0x05, 0xd7, 0xae, 0x1b, 0x94, 0x52, 0x4d]);
        assert_eq!(obfuscate(b"longerthaneight"), [0xe5, 0x20, 0xdd, 0x26, 0x6a, 0xd7, 0x5a, 0x93]);
        assert_eq!(*reveal(&obfuscate(b"short")), b"short");
        assert_eq!(*reveal(&obfuscate(b"longerthan")), b"longerth");
    }

    #[test]
    fn the_response_is_the_challenge_encrypted_block_by_block() {
        // A challenge of twice the same block gives twice the same answer, and only eight bytes count.
        let response = respond(b"password", &[7; 16]);
        assert_eq!(response[..8], response[8..]);
        assert_eq!(response, respond(b"password and more", &[7; 16]));
        assert_ne!(response, respond(b"passwort", &[7; 16]));
        // With the file's key as the password, responding is what hides a password.
        let mut challenge = [0; 16];
        challenge[..8].copy_from_slice(b"secret12");
        assert_eq!(respond(&FILE_KEY, &challenge)[..8], obfuscate(b"secret12"));
    }
}

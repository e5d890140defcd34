//! libjpeg-turbo decides what is right.

mod decoder;
mod encoder;
mod photographs;

//! A worker and nothing else, for tests: their own programs cannot start themselves as one.

fn main() -> std::io::Result<()> {
    image_workers::serve_if_asked().unwrap_or_else(|| Err(std::io::Error::other("started by hand")))
}

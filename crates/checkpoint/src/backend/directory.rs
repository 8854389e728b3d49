//! The names in a job directory, as far as the creation of a store needs them.

use std::io;

use super::Backend;

/// A directory that distinguishes names that were changed from names that stay after a power cut.
///
/// A new file, and a new name of a file, are certain only after [`sync`](Self::sync); before, each
/// may survive a power cut or not, whatever became of the others. Content is the file's own affair
/// ([`Backend::sync`]).
pub trait Directory {
    /// Files in it. Writing behind the end makes them longer.
    type File: Backend;

    /// Whether there is a file of that name.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn exists(&self, name: &str) -> io::Result<bool>;

    /// Makes an empty file of that name, or empties the one that is there.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;

    /// Makes content, length and all the rest of what is known about a new file durable, its name
    /// excepted.
    ///
    /// # Errors
    /// Whatever the file system reports; the content may be lost for good.
    fn sync_file(&mut self, file: &mut Self::File) -> io::Result<()>;

    /// Gives the file another name, in place of whatever has it.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Makes all changes of names durable.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn sync(&mut self) -> io::Result<()>;

    /// Where that file is, for messages.
    fn place(&self, name: &str) -> String;
}

//! Images, as the runtime uses them: what chapter 4 has is in crate `images`; here is where images come from and go.
//!
//! | file            | what it is about                                              |
//! |-----------------|---------------------------------------------------------------|
//! | `archive/`      | images as archives: save and load                             |
//! | `base/`         | the embedded image, made of what the machine has              |
//! | `changes.rs`    | what a container changed                                      |
//! | `commit.rs`     | an image of a container                                       |
//! | `export.rs`     | a container's root as an archive                              |
//! | `instructions/` | what `-c` says about how to start an image                    |
//! | `import.rs`     | an image of a tar of a root file system                       |
//! | `incoming/`     | an image on its way into the store                            |
//! | `made.rs`       | a layer that is stored while it is made                       |
//! | `manifest.rs`   | documents that say what an image is made of                   |
//! | `packing.rs`    | how a whole archive is compressed                             |
//! | `platform.rs`   | which image of an index is for this machine                   |
//! | `removal.rs`    | what goes with a name, and what stays                         |
//! | `room.rs`       | what to do when there is no room for an image                 |
//! | `survey.rs`     | what each layer holds, and what it hides of those below it    |

pub mod archive;
pub mod base;
pub mod changes;
pub mod commit;
pub mod export;
pub mod import;
pub mod incoming;
pub mod instructions;
mod made;
pub mod manifest;
mod packing;
pub mod platform;
pub mod removal;
pub mod room;
pub mod survey;

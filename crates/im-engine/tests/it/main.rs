//! The engine against the stand-in, under virtual time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

/// Random scripts spend a fifth of their time on small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod converge;
mod crash;
mod world;

/// A story that runs on each database.
macro_rules! story {
    ($($(#[$meta:meta])* fn $name:ident($world:ident) $body:block)*) => {
        $($(#[$meta])* mod $name {
            use super::*;

            fn story($world: &mut $crate::world::World) $body

            #[test]
            fn sqlite() {
                story(&mut $crate::world::World::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(mut world) = $crate::world::World::postgres() {
                    story(&mut world);
                }
            }
        })*
    };
}
mod stories {
    mod backfill;
    mod bulk;
    mod conflicts;
    mod described;
    mod directory;
    mod fields;
    mod figures;
    mod found;
    mod life_cycle;
    mod limits;
    mod lists;
    mod main_job;
    mod measured;
    mod named;
    mod on_its_way;
    mod order;
    mod priorities;
    mod receiving;
    mod rows;
    mod rules;
    mod services;
    mod set_up;
    mod settings;
    mod synced;
    mod told;
    mod two_way;
}

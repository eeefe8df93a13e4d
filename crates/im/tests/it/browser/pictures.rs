//! Pictures of every page for people to look at: `cargo xtask screenshots`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::every::{Look, Pages, arranged, empty, full, wrong};
use super::tab::{NARROW, Tab, WIDE};

/// Where they go.
const VARIABLE: &str = "IM_SCREENSHOTS";
/// Longer pages are cut: nobody looks at the two-hundredth row.
const HEIGHT_MAX: u32 = 2_400;
/// How a page is looked at: the name, the width, whether in the dark.
const WAYS: [(&str, u32, bool); 3] = [
    ("light", WIDE, false),
    ("dark", WIDE, true),
    ("360", NARROW, false),
];

/// Takes pictures of pages of a kind.
struct Camera {
    folder: PathBuf,
    kind: &'static str,
    taken: usize,
}

impl Look for Camera {
    fn at(&mut self, tab: &Tab, name: &str) {
        for (way, width, is_dark) in WAYS {
            tab.looks(width, is_dark);
            tab.ask("scrollTo(0, 0)");
            let png = STANDARD.decode(tab.picture(width, HEIGHT_MAX)).unwrap();
            let file = format!("{}-{name}-{way}.png", self.kind);
            std::fs::write(self.folder.join(file), png).unwrap();
            self.taken += 1;
        }
        tab.looks(WIDE, false);
    }
}

#[test]
#[ignore = "makes pictures that no test compares; `cargo xtask screenshots` runs it"]
fn every_page_has_its_picture_taken() {
    let folder: PathBuf = std::env::var_os(VARIABLE)
        .expect("IM_SCREENSHOTS says where they go")
        .into();
    std::fs::create_dir_all(&folder).unwrap();
    let tours: [(&str, Pages); 4] = [
        ("empty", empty),
        ("full", full),
        ("full", arranged),
        ("error", wrong),
    ];
    for (kind, pages) in tours {
        let folder = folder.clone();
        let mut camera = Camera {
            folder,
            kind,
            taken: 0,
        };
        pages(&mut camera);
        println!("{kind}: {} pictures", camera.taken);
    }
}

//! What somebody sees while a page takes its time.

use super::chromium::is_left_out;
use super::keys::one_over_and_one_open;
use super::tab::Browser;

/// Where everything is, and how large.
const BOXES: &str = "JSON.stringify([...document.querySelectorAll('#main *')].map((e) => { \
    const { x, y, width, height } = e.getBoundingClientRect(); return [x, y, width, height]; }))";

#[test]
fn other_filters_show_the_shape_of_what_comes_meanwhile_and_nothing_moves() {
    if is_left_out() {
        return;
    }
    let stage = one_over_and_one_open();
    let browser = Browser::start();
    let tab = browser.open(&format!("{}/metric/mttr", stage.url));
    let busy = "document.querySelector('#main').ariaBusy === 'true'";
    let clear =
        "getComputedStyle(document.querySelector('.insight p, td')).color === 'rgba(0, 0, 0, 0)'";
    for (path, link) in [
        ("/metric/mttr", "a[href*='compare=']"),
        ("/overview", "a[href*='from=']"),
        ("/?status=active", "a[href*='status=any']"),
    ] {
        tab.go(&format!("{}{path}", stage.url));
        let before = tab.ask(BOXES);
        // A page that never comes, because nobody asks for it.
        tab.ask("addEventListener('click', (event) => event.preventDefault())");
        tab.ask(&format!("document.querySelector(\"#main {link}\").click()"));
        tab.until("the shape", busy);
        assert_eq!(tab.ask(clear), true, "{path}");
        assert_eq!(tab.ask(BOXES), before, "{path}");
        // Who comes back to it sees what was there.
        tab.ask("void dispatchEvent(new Event('pageshow'))");
        assert_eq!(tab.ask(busy), false, "{path}");
    }
    let [ours, _] = stage.hosts();
    tab.is_clean(&[ours], "");
}

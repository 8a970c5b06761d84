//! The invariants of the tree, each named by its offenders.

use linli_tests::place;

#[test]
fn nothing_in_the_tree_breaks_a_rule() {
    let offenders = xtask::tidy::offenders(&place::root()).unwrap();
    let shown: Vec<String> = offenders.iter().map(ToString::to_string).collect();
    assert!(
        offenders.is_empty(),
        "{} offenders:\n{}",
        shown.len(),
        shown.join("\n")
    );
}

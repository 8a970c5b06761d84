//! The tests of the whole. One sentence a module.

/// What must hold of the tree, its contracts and its manifest, whatever the functions do.
mod conformance;

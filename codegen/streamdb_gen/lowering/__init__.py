"""From the tree of a spec file to the IR: schemas to types, collections, actions, effects."""

// Many instances of an upstream program in one process: the host's side, and the small program that stands for one instance.
// Nothing but Go's own library, so that every group can use it.
module fleet.example/toolchain/many

go 1.25.0

// Puts functions of ours in the place of upstream's, in a copy of an upstream module (fleet.toolchain.patches runs it).
module fleet.example/toolchain/patch

go 1.25.0

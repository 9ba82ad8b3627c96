"""The targets of the compiler: each turns an IR into the files of one package."""

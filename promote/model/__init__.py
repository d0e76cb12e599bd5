"""The nouns of promote: frozen, parsed once, standard library only, no I/O."""

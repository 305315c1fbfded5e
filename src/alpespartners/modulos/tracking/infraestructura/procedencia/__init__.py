"""La lectura de procedencias: un paso por archivo, cada uno una función pura."""

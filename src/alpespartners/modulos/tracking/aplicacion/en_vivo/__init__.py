"""Lo que se registra, a la vista de quien mira en el momento en que se publica."""

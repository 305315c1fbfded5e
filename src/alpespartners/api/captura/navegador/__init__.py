"""Lo que envían las páginas: la captura de su guion, su píxel y el guion mismo."""

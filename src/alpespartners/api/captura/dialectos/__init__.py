"""Los protocolos de otros: lo que ya envía un SDK ajeno, convertido en nuestros comandos."""

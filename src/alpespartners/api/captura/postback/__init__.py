"""Los postbacks: el aviso de una conversión que envía el servidor de una red, como una URL."""

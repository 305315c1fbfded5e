"""Los enlaces cortos por HTTP, y qué fue del clic de una conversión."""

"""Una vista por archivo: de la petición a su página."""

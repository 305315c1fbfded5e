"""Las consultas del módulo, una por archivo. Leen; nunca esperan a un comando ni lo provocan."""

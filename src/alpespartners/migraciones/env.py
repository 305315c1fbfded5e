"""El entorno de Alembic: sobre qué conexión se migra y con qué ajustes.

Alembic ejecuta este archivo; nadie lo importa. La conexión y su transacción son de quien llama a
`alpespartners.migraciones.actualizar`.
"""

from alembic import context

from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATOS,
    # SQLite no sabe alterar casi nada de una tabla: Alembic la copia.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

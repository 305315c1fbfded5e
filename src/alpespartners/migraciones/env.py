"""El entorno de Alembic: sobre qué conexión se migra y con qué ajustes.

Alembic ejecuta este archivo; nadie lo importa. La conexión y su transacción son de quien llama a
`alpespartners.migraciones.actualizar`; las tablas de hoy, si hacen falta, las da quien escribe una revisión.
"""

from alembic import context

from alpespartners.migraciones import tipo_congelado

atributos = context.config.attributes
context.configure(
    connection=atributos["conexion"],
    target_metadata=atributos["metadatos"],
    on_version_apply=atributos["al_aplicar"],
    render_item=tipo_congelado,
    # SQLite no sabe alterar casi nada de una tabla: Alembic la copia.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

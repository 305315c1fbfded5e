"""Los tipos de columna con que se escriben las revisiones. No se cambian jamás: aquí solo se añade.

Qué es: lo que hace falta para crear una columna en cada motor.
Qué no es: cómo se escribe y se lee un valor; eso es de `seedwork/sql/tipos.py`, que sí cambia.
Por qué existe: una revisión ya aplicada debe crear siempre las mismas columnas. Si usara los tipos de hoy,
cambiar uno reescribiría la historia de quien ya la recorrió.
"""

from sqlalchemy import TIMESTAMP, BigInteger, Numeric, Text

TEXTO = Text().with_variant(Text(collation="C"), "postgresql")
INSTANTE = BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
IMPORTE = BigInteger().with_variant(Numeric(19, 4), "postgresql")
TEXTO_JSON = Text()

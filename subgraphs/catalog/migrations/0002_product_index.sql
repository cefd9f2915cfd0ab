-- Up Migration

-- What the index of the products' vectors has to follow: every product there is, with a number that is another one after each
-- change of what is indexed. One row per product, so that changes that nobody has indexed yet do not pile up.
CREATE SEQUENCE catalog.product_versions;
CREATE TABLE catalog.product_changes (
  product_id text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL
);
CREATE INDEX product_changes_version ON catalog.product_changes (version);

-- What an index has. A collection is named by the id that the vector database gave it, so that one that was lost and made again
-- counts as empty, and that processes with different embedders do not take each other's work for stale.
CREATE TABLE catalog.indexed_products (
  collection uuid NOT NULL,
  product_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  text_hash text NOT NULL,
  metadata_hash text NOT NULL,
  PRIMARY KEY (collection, product_id)
);

-- Whoever listens on catalog_products hears that there is something to index.
CREATE FUNCTION catalog.note_new_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalog.product_changes (product_id, version)
  SELECT id, nextval('catalog.product_versions') FROM (SELECT id FROM new_rows ORDER BY id) ordered
  ON CONFLICT (product_id) DO UPDATE SET version = excluded.version;
  IF FOUND THEN PERFORM pg_notify('catalog_products', ''); END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION catalog.note_changed_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE catalog.product_changes c SET version = nextval('catalog.product_versions')
  FROM new_rows after JOIN old_rows before ON before.id = after.id
  WHERE c.product_id = after.id
    AND (after.name, after.description, after.attributes, after.category_id, after.price, after.stock IS NULL OR after.stock > 0)
    IS DISTINCT FROM
    (before.name, before.description, before.attributes, before.category_id, before.price, before.stock IS NULL OR before.stock > 0);
  IF FOUND THEN PERFORM pg_notify('catalog_products', ''); END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION catalog.note_gone_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM catalog.product_changes c USING old_rows before WHERE c.product_id = before.id;
  IF FOUND THEN PERFORM pg_notify('catalog_products', ''); END IF;
  RETURN NULL;
END
$$;

-- The name of a category is a part of what its products are found by.
CREATE FUNCTION catalog.note_renamed_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE catalog.product_changes c SET version = nextval('catalog.product_versions')
  FROM new_rows after JOIN old_rows before ON before.id = after.id JOIN catalog.products p ON p.category_id = after.id
  WHERE c.product_id = p.id AND after.name IS DISTINCT FROM before.name;
  IF FOUND THEN PERFORM pg_notify('catalog_products', ''); END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER products_new AFTER INSERT ON catalog.products
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalog.note_new_products();
CREATE TRIGGER products_changed AFTER UPDATE ON catalog.products
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalog.note_changed_products();
CREATE TRIGGER products_gone AFTER DELETE ON catalog.products
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION catalog.note_gone_products();
CREATE TRIGGER categories_renamed AFTER UPDATE ON catalog.categories
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION catalog.note_renamed_categories();

INSERT INTO catalog.product_changes (product_id, version)
SELECT id, nextval('catalog.product_versions') FROM catalog.products;

-- Down Migration
DROP TRIGGER categories_renamed ON catalog.categories;
DROP TRIGGER products_gone ON catalog.products;
DROP TRIGGER products_changed ON catalog.products;
DROP TRIGGER products_new ON catalog.products;
DROP FUNCTION catalog.note_renamed_categories, catalog.note_gone_products, catalog.note_changed_products,
  catalog.note_new_products;
DROP TABLE catalog.indexed_products, catalog.product_changes;
DROP SEQUENCE catalog.product_versions;

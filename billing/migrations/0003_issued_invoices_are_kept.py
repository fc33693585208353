from django.db import migrations

# An invoice that is no draft any more is only ever paid, credited or written off (its state); neither it nor its lines
# nor the samples that they charge change, whoever asks. A correction is another document.
KEEP = """
CREATE FUNCTION billing_refuse_change(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of an issued invoice cannot be changed; write a credit note.', what
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION billing_invoice_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.state <> 'draft' AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    PERFORM billing_refuse_change('The contents');
END $$;
CREATE TRIGGER billing_invoice_kept BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION billing_invoice_is_kept();

CREATE FUNCTION billing_invoiceline_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_invoice
        WHERE id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.invoice_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.invoice_id END)
        AND state <> 'draft'
    ) THEN
        PERFORM billing_refuse_change('A line');
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_invoiceline_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_invoiceline_is_kept();

CREATE FUNCTION billing_linesample_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_invoiceline line JOIN billing_invoice invoice ON invoice.id = line.invoice_id
        WHERE line.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.line_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.line_id END)
        AND invoice.state <> 'draft'
    ) THEN
        PERFORM billing_refuse_change('A charged sample');
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_linesample_kept BEFORE INSERT OR UPDATE OR DELETE ON billing_linesample
    FOR EACH ROW EXECUTE FUNCTION billing_linesample_is_kept();

CREATE FUNCTION billing_sample_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_linesample charged
        JOIN billing_invoiceline line ON line.id = charged.line_id
        JOIN billing_invoice invoice ON invoice.id = line.invoice_id
        WHERE charged.sample_id = OLD.id AND invoice.state <> 'draft'
    ) THEN
        PERFORM billing_refuse_change('A charged sample');
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER billing_sample_kept BEFORE UPDATE OR DELETE ON billing_sample
    FOR EACH ROW EXECUTE FUNCTION billing_sample_is_kept();
"""
RELEASE = """
DROP TRIGGER billing_invoice_kept ON billing_invoice;
DROP TRIGGER billing_invoiceline_kept ON billing_invoiceline;
DROP TRIGGER billing_linesample_kept ON billing_linesample;
DROP TRIGGER billing_sample_kept ON billing_sample;
DROP FUNCTION billing_invoice_is_kept();
DROP FUNCTION billing_invoiceline_is_kept();
DROP FUNCTION billing_linesample_is_kept();
DROP FUNCTION billing_sample_is_kept();
DROP FUNCTION billing_refuse_change(text);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_watermark")]

    operations = [migrations.RunSQL(KEEP, RELEASE)]

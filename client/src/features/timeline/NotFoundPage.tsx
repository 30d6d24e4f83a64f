import { Link } from "wouter";
import { Notice } from "../../ui/Notice";
import { words } from "../../words";

export function NotFoundPage() {
  return (
    <Notice heading="h1" title={words.notFound.title} lead={words.notFound.lead}>
      <Link href="/">{words.notFound.toGeneral}</Link>
    </Notice>
  );
}

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path
        className="logo-ground"
        d="M9 3h14a6 6 0 0 1 6 6v9a6 6 0 0 1-6 6h-7l-6.300 4.700A1 1 0 0 1 8 28v-4a6 6 0 0 1-5-6V9a6 6 0 0 1 6-6Z"
      />
      <path
        className="logo-cane"
        d="M12 8.500v10M20 8.500v10M9.800 13.500h4.400M17.800 13.500h4.400"
      />
    </svg>
  );
}

import { checkFile } from './structured';
import { rows } from './table/reduce';

checkFile('reduce', rows);

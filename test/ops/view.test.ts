import { checkFile } from './structured';
import { rows } from './table/view';

checkFile('view', rows);
